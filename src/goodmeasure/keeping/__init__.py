"""What outlives a call or a process: files that someone is at work on, the private directory, and compiled functions in it.

What is written for the user is in `reading`, which begins its files here; what is compiled is in the rooms that compile it.
"""
