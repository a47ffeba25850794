"""Videos and what was pressed in them -> episodes: of a folder of one's own, or of a LeRobotDataset."""
