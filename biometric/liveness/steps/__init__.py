"""One file per action: was it done, in the frames after it was asked for? Functions of numbers, without memory."""
