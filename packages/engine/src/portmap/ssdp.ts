import { endpointText } from '../address/endpoint.ts'
import { fromLatin1 } from '../util/bytes.ts'
import { headerOf, parseHttpuMessage } from '../util/httpuMessage.ts'
import { deviceUrl } from './deviceUrl.ts'

/** Where UPnP devices are asked for (UPnP Device Architecture 1.0, section 1). */
export const SSDP_GROUP = { address: '239.255.255.250', port: 1900 } as const

/** Longest answer read; real ones have 300 to 500 bytes. */
const MAX_ANSWER_BYTES = 4096

/** A device may wait so many seconds before it answers. */
const MX = 3

/**
 * What is asked for: gateways, and as libtorrent does every root device, since some gateways answer only to that. A
 * gateway of version 2 answers for version 1 too.
 */
const SEARCH_TARGETS = ['urn:schemas-upnp-org:device:InternetGatewayDevice:1', 'upnp:rootdevice'] as const

/** The packets of one search. */
export const SEARCH_PACKETS: readonly Uint8Array[] = SEARCH_TARGETS.map((target) =>
  fromLatin1(
    `M-SEARCH * HTTP/1.1\r\nHOST: ${endpointText(SSDP_GROUP)}\r\nST: ${target}\r\n` +
      `MAN: "ssdp:discover"\r\nMX: ${MX}\r\n\r\n`,
  ),
)

/**
 * Where the description of the device lies that answered from `from`, or null. Only a plain http URL at the very address
 * that answered is believed, so that no packet can aim our requests at another machine.
 */
export function decodeSearchAnswer(packet: Uint8Array, from: string): URL | null {
  const answer = parseHttpuMessage(packet, MAX_ANSWER_BYTES)
  if (answer === null || !/^HTTP\/1\.[01] 200\b/i.test(answer.startLine)) return null
  const location = headerOf(answer, 'location')
  return location === null ? null : deviceUrl(location, from)
}
