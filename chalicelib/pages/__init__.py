"""The pages: what people see of Keyturn in a browser. They ask the core, and decide nothing."""
