"""Programs of clients, as their users write them. Tests run each as a process of its own."""
