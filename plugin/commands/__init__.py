"""The facestep command line, one file a command group."""
