"""What every capability uses: errors, validation, time, paging, search, origin, rate limits."""
