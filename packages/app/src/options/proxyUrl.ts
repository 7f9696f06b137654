import { InvalidArgumentError } from 'commander'
import type { ProxyType, Settings } from 'libtorrent-ts'

interface Scheme {
  readonly type: Settings['proxyType']
  /** The same with a user name and password. */
  readonly withLogin: Settings['proxyType']
  /** The proxy looks names up. */
  readonly hostnames: boolean
  readonly defaultPort: number | null
}

const SOCKS_PORT = 1080
// Their numbers are written here, and held to the engine's by the compiler: `lt --help` does not load the engine.
type ProxyTypes = typeof ProxyType
const socks4: ProxyTypes['socks4'] = 1
const socks5: ProxyTypes['socks5'] = 2
const socks5Pw: ProxyTypes['socks5Pw'] = 3
const http: ProxyTypes['http'] = 4
const httpPw: ProxyTypes['httpPw'] = 5
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
  const proxyPassword = decoded(url.password)
  if (proxyPassword !== '' && scheme.type === socks4) {
    throw new InvalidArgumentError('SOCKS4 knows user names only, no passwords: leave it out, or use socks5h.')
  }
  if (proxyPassword !== '' && proxyUsername === '') {
    throw new InvalidArgumentError(`The user name is missing. ${EXAMPLE}`)
  }
  return {
    proxyType: proxyUsername === '' ? scheme.type : scheme.withLogin,
    proxyHostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    proxyPort,
    proxyUsername,
    proxyPassword,
    proxyHostnames: scheme.hostnames,
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new InvalidArgumentError('In a user name or password % is written as %25.')
  }
}
