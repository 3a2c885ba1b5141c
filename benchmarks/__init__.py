"""How fast goodmeasure is beside what people use today: one module a question, each of which runs by itself."""
