"""What goes over the wire: input schemas made from the agents, and the documents that are answered."""
