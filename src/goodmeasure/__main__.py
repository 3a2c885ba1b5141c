"""``python -m goodmeasure``, where the command is not on the path."""

from goodmeasure.cli import main

if __name__ == "__main__":
    main()
