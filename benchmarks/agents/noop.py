"""An agent that does nothing: what is left is what the service costs."""

from tasks.sdk import agent


@agent(queue="io", timeout=60)
def noop(text: str = "") -> str:
    """Say the text back."""
    return text
