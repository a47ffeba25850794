"""A Gymnasium environment as a remote world: the wire of src/net, spoken by Python, each session in a process apart."""
