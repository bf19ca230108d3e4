"""What every route of the service shares: answers to errors, security headers, the access log, rate limits."""
