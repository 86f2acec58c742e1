"""What the documentation site shows that is made from the code; see mkdocs.yml."""
