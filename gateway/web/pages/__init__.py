"""The pages, one module an area; each has `register(web, backend)` and reads only: pages write through the API."""
