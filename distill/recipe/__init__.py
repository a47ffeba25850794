"""From a game to a page that dreams it, by one command: the other stages, called one after the other. Door: `train`."""
