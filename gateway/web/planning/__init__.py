"""What the planning's pages show: filters as the address tells them, months, weeks, days and rows of technicians."""
