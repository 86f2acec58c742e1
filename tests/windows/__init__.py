"""What holds on Windows alone, and the command that runs the suite on a Windows Python."""
