import type { XmlReader } from '../platform/xml.ts'
import { fromUtf8 } from '../util/bytes.ts'
import { deviceUrl } from './deviceUrl.ts'
import { printable } from './printable.ts'

const MAX_SERVICES = 8
const MAX_TEXT_LENGTH = 512

/** The services that map ports, the better one first. */
const SERVICE_TYPES = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const

export interface MappingService {
  readonly type: (typeof SERVICE_TYPES)[number]
  readonly controlUrl: URL
}

export interface DeviceDescription {
  /** The device's model; empty when it tells none. */
  readonly model: string
  /** Its services that map ports, the better ones first; none when it is no router. */
  readonly services: readonly MappingService[]
}

/**
 * Reads a device's description (UPnP Device Architecture 1.0, section 2.1). Control URLs are relative to its `URLBase`,
 * or else to `location`; those that lead away from the device are left out. Null when it is not XML.
 */
export function readDescription(
  xml: XmlReader,
  body: Uint8Array,
  location: URL,
  done: (description: DeviceDescription | null) => void,
): void {
  const address = location.hostname
  const found: { type: string; control: string }[] = []
  let service = { type: '', control: '' }
  let model = ''
  let urlBase = ''
  let text = ''
  const handler = {
    onOpen(name: string) {
      if (name.toLowerCase() === 'service') service = { type: '', control: '' }
      text = ''
    },
    onText(more: string) {
      if (text.length <= MAX_TEXT_LENGTH) text += more.slice(0, MAX_TEXT_LENGTH + 1)
    },
    onClose(name: string) {
      const value = text.trim()
      text = ''
      switch (name.toLowerCase()) {
        case 'servicetype':
          service.type = value
          break
        case 'controlurl':
          service.control = value
          break
        case 'service':
          if (found.length < MAX_SERVICES && service.control !== '' && isMappingService(service.type)) {
            found.push(service)
          }
          break
        case 'modelname':
          model ||= value
          break
        case 'urlbase':
          urlBase = value
      }
    },
  }
  xml.read(fromUtf8(body), handler, (complete) => {
    if (!complete) return done(null)
    const base = (urlBase === '' ? null : deviceUrl(urlBase, address)) ?? location
    const services = SERVICE_TYPES.flatMap((type) =>
      found
        .filter((each) => each.type.toLowerCase() === type.toLowerCase())
        .map((each) => controlUrl(each.control, address, base))
        .filter((url) => url !== null)
        .map((url): MappingService => ({ type, controlUrl: url })),
    )
    done({ model: printable(model, 100), services })
  })
}

function isMappingService(type: string): boolean {
  return SERVICE_TYPES.some((each) => each.toLowerCase() === type.toLowerCase())
}

/** Some routers give a path such as `uuid:1234/WANIPConnection:1`, which reads like a URL of its own. */
function controlUrl(text: string, address: string, base: URL): URL | null {
  return deviceUrl(text, address, base) ?? (/^https?:/i.test(text) ? null : deviceUrl(`./${text}`, address, base))
}
