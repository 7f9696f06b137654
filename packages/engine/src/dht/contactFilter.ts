import { isLocalBytes } from '../address/classify.ts'

/**
 * Class A networks that are not routed to the public: a packet from there has a forged source (libtorrent
 * `dht_ignore_dark_internet`).
 */
const DARK_NETWORKS = new Uint8Array(256)
for (const octet of [3, 6, 7, 9, 11, 19, 21, 22, 25, 26, 28, 29, 30, 33, 34, 48, 56]) DARK_NETWORKS[octet] = 1

/** Whether a compact endpoint lies in a network nobody can be in. IPv4 only. */
export function isDarkInternet(compact: Uint8Array): boolean {
  return compact.length === 6 && DARK_NETWORKS[compact[0]] === 1
}

/**
 * Whether the endpoint may be sent to at all: a port, and an address of one host. Nodes are told to us by strangers, so
 * that anything else would make us send where nobody asked for it.
 */
export function isContactable(c: Uint8Array): boolean {
  if (c[c.length - 1] === 0 && c[c.length - 2] === 0) return false
  if (c.length === 6) return c[0] !== 0 && c[0] < 224
  if (c[0] === 0xff) return false
  // ::/96 holds nothing but ::1, and ::ffff:0:0/96 is IPv4, which another node of ours speaks
  for (let i = 0; i < 10; i++) if (c[i] !== 0) return true
  if (c[10] === 0xff && c[11] === 0xff) return false
  for (let i = 10; i < 15; i++) if (c[i] !== 0) return true
  return c[15] === 1
}

/** Whether a compact endpoint is on this machine or on a local network. */
export function isLocalContact(compact: Uint8Array): boolean {
  return isLocalBytes(compact, compact.length === 6)
}
