"""The pages: what people see, in a real browser; and what their forms refuse."""
