"""What is measured by hand, because a number on a busy machine is no test."""
