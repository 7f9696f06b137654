/** Kinds of proxies (manual, proxy_settings::proxy_type). The numbers are libtorrent's. */
export const ProxyType = {
  /** No proxy. */
  none: 0,
  /** SOCKS version 4, with the user name; 4a for host names. IPv4 only. */
  socks4: 1,
  /** SOCKS version 5 (RFC 1928) without authentication. */
  socks5: 2,
  /** SOCKS version 5 that may ask for user name and password (RFC 1929). */
  socks5Pw: 3,
  /** An HTTP proxy: plain requests for http, `CONNECT` for everything else. */
  http: 4,
  /** The same, with user name and password. */
  httpPw: 5,
  /** The SAM bridge of an I2P router: for `setI2pProxy` only. */
  i2pProxy: 6,
} as const
export type ProxyType = (typeof ProxyType)[keyof typeof ProxyType]

const { i2pProxy: _i2pProxy, ...sessionProxyTypes } = ProxyType
/** The kinds that the setting `proxyType` takes. */
export const SESSION_PROXY_TYPES = sessionProxyTypes
