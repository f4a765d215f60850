"""What all pages share: rendering, views, browser state, paging."""
