import { normalizeAddress } from '../address/addressBytes.ts'
import { isLoopback, isMulticast, isUnspecified } from '../address/classify.ts'

/** More lines than any description of one data channel has. */
const MAX_LINES = 200
/** More addresses than a machine with several interfaces, a router and a relay has. */
const MAX_CANDIDATES = 20

/**
 * A stranger's description as it may be given to WebRTC; null when it does not describe one data channel. Each
 * candidate in it is an address that our machine will send packets to, so of these are left out: those that `accepts`
 * refuses, names (which would be looked up: browsers hide addresses behind `.local` names), TCP, ports nobody has, and all
 * beyond the twentieth. A peer whose candidates are all left out may still reach us by ours.
 */
export function cleanDescription(sdp: string, accepts: (address: string) => boolean): string | null {
  const lines = sdp.split(/\r\n|\n|\r/)
  if (lines.length > MAX_LINES) return null
  const kept: string[] = []
  let candidates = 0
  let media = 0
  for (const line of lines) {
    if (line === '') continue
    if (line.startsWith('m=')) {
      // A second one would be sound or pictures.
      if (!line.startsWith('m=application ') || ++media > 1) return null
    } else if (line.startsWith('a=candidate:')) {
      if (!isUsable(line, accepts) || ++candidates > MAX_CANDIDATES) continue
    } else if (line.startsWith('a=remote-candidates:')) continue
    kept.push(line)
  }
  const isComplete = kept[0] === 'v=0' && media === 1 && has(kept, 'a=fingerprint:') && has(kept, 'a=ice-ufrag:')
  return isComplete ? `${kept.join('\r\n')}\r\n` : null
}

/** The candidates of a description accept addresses of our own machine only when we are on it alone. */
export function isDialable(address: string, localAddress: string | undefined): boolean {
  if (isUnspecified(address) || isMulticast(address)) return false
  return !isLoopback(address) || (localAddress !== undefined && isLoopback(localAddress))
}

/** `a=candidate:FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ ...` (RFC 8839, section 5.1). */
function isUsable(line: string, accepts: (address: string) => boolean): boolean {
  const [, component, transport, , text = '', port] = line.split(' ', 8)
  if (component !== '1' || transport?.toLowerCase() !== 'udp' || !/^\d{1,5}$/.test(port ?? '')) return false
  const address = normalizeAddress(text)
  return address !== null && Number(port) > 0 && Number(port) <= 0xffff && accepts(address)
}

function has(lines: readonly string[], prefix: string): boolean {
  return lines.some((line) => line.startsWith(prefix))
}
