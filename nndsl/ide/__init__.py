"""What editors and notebooks ask of a program: pure functions of an `Analysis`, which know no protocol."""
