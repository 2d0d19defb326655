# Succeeds when Envoy is ready. Its image has no HTTP client, but bash can open a connection.
exec 3<>/dev/tcp/127.0.0.1/9901
printf 'GET /ready HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n' >&3
grep -q '^LIVE' <&3
