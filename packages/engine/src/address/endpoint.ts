/** An address and a port. `address` is canonical text: dotted quad, or compressed lower-case IPv6 without brackets. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

export function isV6(address: string): boolean {
  return address.includes(':')
}

/** `1.2.3.4:80` or `[::1]:80`. */
export function endpointText(endpoint: Endpoint): string {
  return isV6(endpoint.address) ? `[${endpoint.address}]:${endpoint.port}` : `${endpoint.address}:${endpoint.port}`
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address
}
