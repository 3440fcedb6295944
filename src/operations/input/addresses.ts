import ipaddr from 'ipaddr.js';

/**
 * What IANA has set aside of the unicast space, and what clouds answer on inside alone
 * (registries: iana-ipv4-special-registry, iana-ipv6-special-registry, ipv6-unicast-address-assignments).
 */
const specialIPv4: [range: string, what: string][] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', "behind a provider's NAT; 100.100.100.200 is Alibaba's metadata"],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', "Azure's wire server"],
  ['169.254.0.0/16', 'link-local, with most metadata services'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', "protocol assignments; 192.0.0.192 is Oracle's metadata"],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'AS112'],
  ['192.52.193.0/24', 'multicast tunnels'],
  ['192.88.99.0/24', '6to4 relays'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'AS112'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved, with broadcast'],
];

/** Nothing outside has been assigned for unicast on the Internet: loopback, IPv4 inside IPv6, NAT64, link-local, unique local and multicast all lie there. */
const assignedIPv6 = '2000::/3';

const specialIPv6: [range: string, what: string][] = [
  ['2001::/23', 'protocol assignments: Teredo, benchmarking, ORCHID, AS112'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4, which leads to an IPv4 address'],
  ['2620:4f:8000::/48', 'AS112'],
  ['2d00::/8', 'not assigned'],
  ['2e00::/7', 'not assigned'],
  ['3000::/4', 'not assigned; 3fff::/20 is documentation, 3ffe::/16 was a test network'],
];

type Range = ReturnType<typeof ipaddr.parseCIDR>;
const closed: Range[] = [...specialIPv4, ...specialIPv6].map(([range]) => ipaddr.parseCIDR(range));
const assigned = ipaddr.parseCIDR(assignedIPv6);

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, [base, bits]: Range): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}

/**
 * Whether an address is of the public Internet, or in one of the ranges that are allowed all the same. An IPv4 address
 * written as IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address it is. Prefixes that a network has chosen for itself,
 * to reach IPv4 by NAT64 say, cannot be told from others.
 * @throws Error for what is no address.
 */
export function mayBeFetched(address: string, allow: readonly string[]): boolean {
  // The library would take `::8.8.8.8`, which leads elsewhere, for `::ffff:8.8.8.8`.
  const parsed = ipaddr.process(address.replace(/^::(?=\d+\.)/, '::0:'));
  const isPublic = !closed.some((range) => isIn(parsed, range)) && (parsed.kind() === 'ipv4' || isIn(parsed, assigned));
  return isPublic || allow.some((range) => isIn(parsed, ipaddr.parseCIDR(range)));
}
