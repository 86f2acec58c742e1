"""What another user of the machine, or a hostile application or job, can do, tried out."""
