"""One running Parley on one machine: its processes, its ports, its data folder."""
