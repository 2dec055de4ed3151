"""The AI service with a result that is too large to fit into the buffers between a server and its client."""
