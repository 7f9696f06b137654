/** A user's name and password at a proxy. */
export interface ProxyLogin {
  readonly username: string
  readonly password: string
}

/** A proxy to make connections through. */
export interface ProxyRoute {
  readonly kind: 'socks4' | 'socks5' | 'http'
  /** Name or address of the proxy. */
  readonly host: string
  readonly port: number
  /** Null: none is offered. */
  readonly login: ProxyLogin | null
  /** The proxy is told names and looks them up; otherwise it is told addresses. */
  readonly resolvesNames: boolean
  /** An HTTP proxy is told the name in `CONNECT` although we know the address. */
  readonly tellsName: boolean
}

/** Two routes lead the same way. */
export function sameRoute(a: ProxyRoute | null, b: ProxyRoute | null): boolean {
  return a === b || (a !== null && b !== null && routeKey(a) === routeKey(b))
}

/** Equal for routes that lead the same way, for maps. */
export function routeKey({ kind, host, port, login, resolvesNames, tellsName }: ProxyRoute): string {
  return JSON.stringify([kind, host, port, login?.username, login?.password, resolvesNames, tellsName])
}
