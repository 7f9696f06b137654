import { InvalidArgumentError } from 'commander'
import { applySettings, defaultSettings, type ProxyRoute, ProxyType, proxyRouteOf, type Settings } from 'libtorrent-ts'

/** Through what connections are made; options as commander gives them. */
export interface ProxyOptions {
  readonly proxy?: Partial<Settings>
  readonly anonymous?: boolean
}

interface Scheme {
  readonly type: Settings['proxyType']
  /** The same with a user name and password. */
  readonly withLogin: Settings['proxyType']
  /** The proxy looks names up. */
  readonly hostnames: boolean
  readonly defaultPort: number | null
}

const SOCKS_PORT = 1080
const { socks4, socks5, socks5Pw, http, httpPw } = ProxyType
const SCHEMES: Readonly<Record<string, Scheme>> = {
  'socks4:': { type: socks4, withLogin: socks4, hostnames: false, defaultPort: SOCKS_PORT },
  'socks4a:': { type: socks4, withLogin: socks4, hostnames: true, defaultPort: SOCKS_PORT },
  'socks5:': { type: socks5, withLogin: socks5Pw, hostnames: false, defaultPort: SOCKS_PORT },
  'socks5h:': { type: socks5, withLogin: socks5Pw, hostnames: true, defaultPort: SOCKS_PORT },
  'http:': { type: http, withLogin: httpPw, hostnames: true, defaultPort: null },
}
const EXAMPLE = 'It is written like socks5h://user:password@host:1080; socks4, socks4a, socks5 and http work as well.'

/** The URL of a proxy as curl takes it, as settings of the engine. */
export function parseProxyUrl(text: string): Partial<Settings> {
  const url = URL.canParse(text) ? new URL(text) : null
  const scheme = url === null ? undefined : SCHEMES[url.protocol]
  if (url?.protocol === 'https:') throw new InvalidArgumentError(`A proxy is not spoken to by TLS. ${EXAMPLE}`)
  if (url === null || scheme === undefined) throw new InvalidArgumentError(EXAMPLE)
  if (url.hostname === '') throw new InvalidArgumentError(`The host is missing. ${EXAMPLE}`)
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError(`Nothing follows the port. ${EXAMPLE}`)
  }
  // URL drops a port of 80 from http.
  const written = /:(\d+)\/?$/.exec(text)?.[1]
  const proxyPort = Number(url.port || written || scheme.defaultPort)
  if (!(proxyPort >= 1)) throw new InvalidArgumentError(`The port is missing. ${EXAMPLE}`)
  const proxyUsername = decoded(url.username)
  return {
    proxyType: proxyUsername === '' ? scheme.type : scheme.withLogin,
    proxyHostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    proxyPort,
    proxyUsername,
    proxyPassword: decoded(url.password),
    proxyHostnames: scheme.hostnames,
  }
}

export function proxyOptionSettings({ proxy, anonymous }: ProxyOptions): Partial<Settings> {
  // Whoever wants to stay unknown does not tell a name server either.
  return { ...proxy, ...(anonymous && { anonymousMode: true, proxyHostnames: true }) }
}

/** How what the command does without a session reaches the world. */
export interface Network {
  readonly proxy: ProxyRoute | null
  /** Nothing leaves but through a proxy. */
  readonly isForced: boolean
  readonly isAnonymous: boolean
}

/** No proxy. */
export const DIRECT: Network = { proxy: null, isForced: false, isAnonymous: false }

export function networkOf(changes: Partial<Settings>): Network {
  const settings = defaultSettings()
  applySettings(settings, changes)
  return { proxy: proxyRouteOf(settings), isForced: settings.forceProxy, isAnonymous: settings.anonymousMode }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new InvalidArgumentError('In a user name or password % is written as %25.')
  }
}
