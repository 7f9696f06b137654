/**
 * What kind of socket an alert or a connection speaks of (libtorrent's `socket_type_t`). The values are the names.
 * A kind ending in `Ssl` has TLS on top; `socks5` and `http` go through a proxy of that kind; `rtc` is WebRTC.
 */
export const SocketType = {
  tcp: 'tcp',
  tcpSsl: 'tcpSsl',
  udp: 'udp',
  i2p: 'i2p',
  socks5: 'socks5',
  socks5Ssl: 'socks5Ssl',
  http: 'http',
  httpSsl: 'httpSsl',
  utp: 'utp',
  utpSsl: 'utpSsl',
  rtc: 'rtc',
} as const
export type SocketType = (typeof SocketType)[keyof typeof SocketType]

/** Whether it is uTP, with TLS on top or without. */
export function isUtpSocket(type: SocketType): boolean {
  return type === SocketType.utp || type === SocketType.utpSsl
}

/** Whether it has TLS on top. */
export function isSslSocket(type: SocketType): boolean {
  return type.endsWith('Ssl')
}

/** The kind that a socket of kind `type` becomes when TLS is put on it. */
export function securedType(type: SocketType): SocketType {
  switch (type) {
    case SocketType.utp:
      return SocketType.utpSsl
    case SocketType.socks5:
      return SocketType.socks5Ssl
    case SocketType.http:
      return SocketType.httpSsl
    default:
      return SocketType.tcpSsl
  }
}
