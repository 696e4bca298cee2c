"""Small pages to look at what arrived: server-rendered, no JavaScript, nothing from elsewhere."""
