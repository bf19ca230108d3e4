"""ISO/IEC 19795-1 and 30107-3 metrics and reports."""
