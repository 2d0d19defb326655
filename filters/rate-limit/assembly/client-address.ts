/**
 * Identifies a client by its address, "192.0.2.1:5678" or "[2001:db8::1]:5678": by the IPv4 address, or by the first 64
 * bits of the IPv6 address, because one client usually has all addresses of such a network.
 */
export function clientOf(address: string): string {
  const port = address.lastIndexOf(":");
  const host = port < 0 ? address : address.substring(0, port);
  if (!host.startsWith("[")) return host;
  const inner = host.substring(1, host.length - 1);
  return inner.includes(".") ? inner : networkOf(inner);
}

/** The first four groups. Expands "::". */
function networkOf(address: string): string {
  const gap = address.indexOf("::");
  const groups = (gap < 0 ? address : address.substring(0, gap)).split(":");
  if (gap >= 0) {
    if (gap === 0) groups.pop();
    const after = address.substring(gap + 2).split(":");
    while (groups.length + after.length < 8) groups.push("0");
    for (let i = 0; i < after.length; i++) groups.push(after[i]);
  }
  return groups.slice(0, 4).join(":");
}
