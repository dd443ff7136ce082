"""Work at clients: planning, reports, job sites."""
