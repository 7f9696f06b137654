export interface PeerAddress {
  readonly host: string
  readonly port: number
}

/** What an SSL torrent needs: paths of PEM files. */
export interface SslFiles {
  readonly certificate: string
  readonly privateKey: string
  readonly dhParams: string
}

export interface StartOptions {
  readonly role: 'seed' | 'download'
  /** Path of a .torrent, or a magnet link (downloads only). */
  readonly source: string
  /** The .torrent, where `source` is a resume file; only for clients behind the line protocol. */
  readonly torrent?: string
  readonly savePath: string
  /** Name and size of the one file; only for the browser. */
  readonly content?: { readonly name: string; readonly size: number }
  /** TCP port to listen on, 127.0.0.1. */
  readonly port: number
  /** Peers to connect to. */
  readonly peers: readonly PeerAddress[]
  /** Directory for configuration and logs; the same one when a client is started again after a kill. */
  readonly workDir: string
  /** More settings, under libtorrent's names. Only for libtorrent and us; others know those of the DHT. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Connections are encrypted, all of them, or not made; not for libtorrent. Default: whatever the client does by itself. */
  readonly encryption?: 'required'
  /** The torrent may be found by DHT and peer exchange; what of them runs, `settings` says. */
  readonly discoverable?: boolean
  /** A list of addresses to refuse; only of `lt`. */
  readonly ipFilter?: string
  /** For an SSL torrent: `port` is then that of its peers. Only for libtorrent and us. */
  readonly ssl?: SslFiles
  /** URL of a proxy to connect through; nothing is listened on then. Only for `lt`. */
  readonly proxy?: string
  /** SAM bridge of an I2P router, `host:port`. Only for `lt`. */
  readonly i2p?: string
  /** Bytes per second; unlimited when absent. Ignored by clients whose `limits` is false. */
  readonly uploadLimit?: number
  readonly downloadLimit?: number
}

/** One process with one torrent. */
export interface RunningClient {
  readonly name: string
  readonly port: number
  /** Verified part of the content, 0 to 1. */
  progress(): Promise<number>
  /** Payload bytes sent since the start, or null when the client does not tell. */
  uploaded(): Promise<number | null>
  /** Peers it is connected with; only of libtorrent and us. */
  peers?(): Promise<number>
  /** Resolves when the content is complete and on disk. */
  finished(timeoutMs: number): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** An orderly end. */
  stop(): Promise<void>
}

/** A BitTorrent client the tests can run. */
export interface ClientKind {
  readonly name: string
  /** It can be told of a peer by address. Otherwise the other side has to connect to it. */
  readonly connects: boolean
  /** It obeys `uploadLimit` and `downloadLimit`. */
  readonly limits: boolean
  readonly leavesOutEmptyFiles: boolean
  /** What is missing on this machine, or null when it can run. */
  missing(): Promise<string | null>
  /** Tries to install what is missing. */
  install(): Promise<void>
  /** Resolves when it listens and, as a seed, has checked its content. */
  start(options: StartOptions): Promise<RunningClient>
}
