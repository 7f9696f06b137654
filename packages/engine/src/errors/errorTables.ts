/**
 * Error codes: the symbol, libtorrent's number and text, and the category each belongs to.
 * The numbers are part of the API and never change (manual, "error_code"). Docs and types are derived from here.
 */
export interface ErrorRow {
  /** libtorrent's number within the category. */
  readonly value: number
  /** What a person reads. */
  readonly message: string
  /** More about the cause, from the manual; empty when the message says it all. */
  readonly description: string
}

/** The `libtorrent` category (manual, section error_code; from 108 on libtorrent 1.0, from 201 on libtorrent 1.2). */
export const libtorrentErrors = {
  noError: { value: 0, message: 'no error', description: 'Not an error' },
  fileCollision: {
    value: 1,
    message: 'torrent file collides with file from another torrent',
    description: 'Two torrents has files which end up overwriting each other',
  },
  failedHashCheck: { value: 2, message: 'hash check failed', description: 'A piece did not match its piece hash' },
  torrentIsNoDict: {
    value: 3,
    message: 'torrent file is not a dictionary',
    description: 'The .torrent file does not contain a bencoded dictionary at its top level',
  },
  torrentMissingInfo: {
    value: 4,
    message: "missing or invalid 'info' section in torrent file",
    description: 'The .torrent file does not have an info dictionary',
  },
  torrentInfoNoDict: {
    value: 5,
    message: "'info' entry is not a dictionary",
    description: "The .torrent file's info entry is not a dictionary",
  },
  torrentMissingPieceLength: {
    value: 6,
    message: "invalid or missing 'piece length' entry in torrent file",
    description: 'The .torrent file does not have a piece length entry',
  },
  torrentMissingName: {
    value: 7,
    message: 'missing name in torrent file',
    description: 'The .torrent file does not have a name entry',
  },
  torrentInvalidName: {
    value: 8,
    message: "invalid 'name' of torrent (possible exploit attempt)",
    description: "The .torrent file's name entry is invalid",
  },
  torrentInvalidLength: {
    value: 9,
    message: 'invalid length of torrent',
    description: 'The length of a file, or of the whole .torrent file is invalid. Either negative or not an integer',
  },
  torrentFileParseFailed: {
    value: 10,
    message: 'failed to parse files from torrent file',
    description: 'Failed to parse a file entry in the .torrent',
  },
  torrentMissingPieces: {
    value: 11,
    message: "invalid or missing 'pieces' entry in torrent file",
    description: 'The pieces field is missing or invalid in the .torrent file',
  },
  torrentInvalidHashes: {
    value: 12,
    message: 'incorrect number of piece hashes in torrent file',
    description: 'The pieces string has incorrect length',
  },
  tooManyPiecesInTorrent: {
    value: 13,
    message: 'too many pieces in torrent',
    description: 'The .torrent file has more pieces than is supported by libtorrent',
  },
  invalidSwarmMetadata: {
    value: 14,
    message: 'invalid metadata received from swarm',
    description:
      'The metadata (.torrent file) that was received from the swarm matched the info-hash, but failed to be parsed',
  },
  invalidBencoding: {
    value: 15,
    message: 'invalid bencoding',
    description: 'The file or buffer is not correctly bencoded',
  },
  noFilesInTorrent: {
    value: 16,
    message: 'no files in torrent',
    description: 'The .torrent file does not contain any files',
  },
  invalidEscapedString: {
    value: 17,
    message: 'invalid escaped string',
    description: 'The string was not properly url-encoded as expected',
  },
  sessionIsClosing: {
    value: 18,
    message: 'session is closing',
    description: 'Operation is not permitted since the session is shutting down',
  },
  duplicateTorrent: {
    value: 19,
    message: 'torrent already exists in session',
    description: "There's already a torrent with that info-hash added to the session",
  },
  invalidTorrentHandle: {
    value: 20,
    message: 'invalid torrent handle used',
    description: 'The supplied torrent_handle is not referring to a valid torrent',
  },
  invalidEntryType: {
    value: 21,
    message: 'invalid type requested from entry',
    description: 'The type requested from the entry did not match its type',
  },
  missingInfoHashInUri: {
    value: 22,
    message: 'missing info-hash from URI',
    description: 'The specified URI does not contain a valid info-hash',
  },
  fileTooShort: {
    value: 23,
    message: 'file too short',
    description:
      'One of the files in the torrent was unexpectadly small. This might be caused by files being changed by an external process',
  },
  unsupportedUrlProtocol: {
    value: 24,
    message: 'unsupported URL protocol',
    description:
      'The URL used an unknown protocol. Currently http and https (if built with openssl support) are recognized. For trackers udp is recognized as well.',
  },
  urlParseError: {
    value: 25,
    message: 'failed to parse URL',
    description: 'The URL did not conform to URL syntax and failed to be parsed',
  },
  peerSentEmptyPiece: {
    value: 26,
    message: 'peer sent 0 length piece',
    description: "The peer sent a 'piece' message of length 0",
  },
  parseFailed: {
    value: 27,
    message: 'parse failed',
    description: 'A bencoded structure was currupt and failed to be parsed',
  },
  invalidFileTag: {
    value: 28,
    message: 'invalid file format tag',
    description: 'The fast resume file was missing or had an invalid file version tag',
  },
  missingInfoHash: {
    value: 29,
    message: 'missing info-hash',
    description: 'The fast resume file was missing or had an invalid info-hash',
  },
  mismatchingInfoHash: {
    value: 30,
    message: 'mismatching info-hash',
    description: 'The info-hash in the resume file did not match the torrent',
  },
  invalidHostname: { value: 31, message: 'invalid hostname', description: 'The URL contained an invalid hostname' },
  invalidPort: { value: 32, message: 'invalid port', description: 'The URL had an invalid port' },
  portBlocked: {
    value: 33,
    message: 'port blocked by port-filter',
    description: 'The port is blocked by the port-filter, and prevented the connection',
  },
  expectedCloseBracketInAddress: {
    value: 34,
    message: 'expected closing ] for address',
    description: "The IPv6 address was expected to end with ']'",
  },
  destructingTorrent: {
    value: 35,
    message: 'destructing torrent',
    description: 'The torrent is being destructed, preventing the operation to succeed',
  },
  timedOut: { value: 36, message: 'timed out', description: 'The connection timed out' },
  uploadUploadConnection: {
    value: 37,
    message: 'upload to upload connection',
    description: "The peer is upload only, and we are upload only. There's no point in keeping the connection",
  },
  uninterestingUploadPeer: {
    value: 38,
    message: 'uninteresting upload-only peer',
    description: "The peer is upload only, and we're not interested in it. There's no point in keeping the connection",
  },
  invalidInfoHash: { value: 39, message: 'invalid info-hash', description: 'The peer sent an unknown info-hash' },
  torrentPaused: {
    value: 40,
    message: 'torrent paused',
    description: 'The torrent is paused, preventing the operation from succeeding',
  },
  invalidHave: {
    value: 41,
    message: "'have'-message with higher index than the number of pieces",
    description:
      "The peer sent an invalid have message, either wrong size or referring to a piece that doesn't exist in the torrent",
  },
  invalidBitfieldSize: {
    value: 42,
    message: 'bitfield of invalid size',
    description: 'The bitfield message had the incorrect size',
  },
  tooManyRequestsWhenChoked: {
    value: 43,
    message: 'too many piece requests while choked',
    description: 'The peer kept requesting pieces after it was choked, possible abuse attempt.',
  },
  invalidPiece: {
    value: 44,
    message: 'invalid piece packet',
    description: 'The peer sent a piece message that does not correspond to a piece request sent by the client',
  },
  noMemory: { value: 45, message: 'out of memory', description: 'memory allocation failed' },
  torrentAborted: {
    value: 46,
    message: 'torrent aborted',
    description: 'The torrent is aborted, preventing the operation to succeed',
  },
  selfConnection: {
    value: 47,
    message: 'connected to ourselves',
    description: 'The peer is a connection to ourself, no point in keeping it',
  },
  invalidPieceSize: {
    value: 48,
    message: 'invalid piece size',
    description: 'The peer sent a piece message with invalid size, either negative or greater than one block',
  },
  timedOutNoInterest: {
    value: 49,
    message: 'timed out: no interest',
    description: 'The peer has not been interesting or interested in us for too long, no point in keeping it around',
  },
  timedOutInactivity: {
    value: 50,
    message: 'timed out: inactivity',
    description: 'The peer has not said anything in a long time, possibly dead',
  },
  timedOutNoHandshake: {
    value: 51,
    message: 'timed out: no handshake',
    description:
      'The peer did not send a handshake within a reasonable amount of time, it might not be a bittorrent peer',
  },
  timedOutNoRequest: {
    value: 52,
    message: 'timed out: no request',
    description:
      'The peer has been unchoked for too long without requesting any data. It might be lying about its interest in us',
  },
  invalidChoke: { value: 53, message: 'invalid choke message', description: 'The peer sent an invalid choke message' },
  invalidUnchoke: {
    value: 54,
    message: 'invalid unchoke message',
    description: 'The peer send an invalid unchoke message',
  },
  invalidInterested: {
    value: 55,
    message: 'invalid interested message',
    description: 'The peer sent an invalid interested message',
  },
  invalidNotInterested: {
    value: 56,
    message: 'invalid not-interested message',
    description: 'The peer sent an invalid not-interested message',
  },
  invalidRequest: {
    value: 57,
    message: 'invalid request message',
    description: 'The peer sent an invalid piece request message',
  },
  invalidHashList: {
    value: 58,
    message: 'invalid hash list',
    description: 'The peer sent an invalid hash-list message (this is part of the merkle-torrent extension)',
  },
  invalidHashPiece: {
    value: 59,
    message: 'invalid hash piece message',
    description: 'The peer sent an invalid hash-piece message (this is part of the merkle-torrent extension)',
  },
  invalidCancel: {
    value: 60,
    message: 'invalid cancel message',
    description: 'The peer sent an invalid cancel message',
  },
  invalidDhtPort: {
    value: 61,
    message: 'invalid dht-port message',
    description: 'The peer sent an invalid DHT port-message',
  },
  invalidSuggest: {
    value: 62,
    message: 'invalid suggest piece message',
    description: 'The peer sent an invalid suggest piece-message',
  },
  invalidHaveAll: {
    value: 63,
    message: 'invalid have-all message',
    description: 'The peer sent an invalid have all-message',
  },
  invalidHaveNone: {
    value: 64,
    message: 'invalid have-none message',
    description: 'The peer sent an invalid have none-message',
  },
  invalidReject: {
    value: 65,
    message: 'invalid reject message',
    description: 'The peer sent an invalid reject message',
  },
  invalidAllowFast: {
    value: 66,
    message: 'invalid allow-fast message',
    description: 'The peer sent an invalid allow fast-message',
  },
  invalidExtended: {
    value: 67,
    message: 'invalid extended message',
    description: 'The peer sent an invalid extesion message ID',
  },
  invalidMessage: { value: 68, message: 'invalid message', description: 'The peer sent an invalid message ID' },
  syncHashNotFound: {
    value: 69,
    message: 'sync hash not found',
    description: 'The synchronization hash was not found in the encrypted handshake',
  },
  invalidEncryptionConstant: {
    value: 70,
    message: 'unable to verify encryption constant',
    description: 'The encryption constant in the handshake is invalid',
  },
  noPlaintextMode: {
    value: 71,
    message: 'plaintext mode not provided',
    description: 'The peer does not support plaintext, which is the selected mode',
  },
  noRc4Mode: {
    value: 72,
    message: 'rc4 mode not provided',
    description: 'The peer does not support rc4, which is the selected mode',
  },
  unsupportedEncryptionMode: {
    value: 73,
    message: 'unsupported encryption mode',
    description: 'The peer does not support any of the encryption modes that the client supports',
  },
  unsupportedEncryptionModeSelected: {
    value: 74,
    message: 'peer selected unsupported encryption mode',
    description: 'The peer selected an encryption mode that the client did not advertise and does not support',
  },
  invalidPadSize: {
    value: 75,
    message: 'invalid encryption pad size',
    description: 'The pad size used in the encryption handshake is of invalid size',
  },
  invalidEncryptHandshake: {
    value: 76,
    message: 'invalid encryption handshake',
    description: 'The encryption handshake is invalid',
  },
  noIncomingEncrypted: {
    value: 77,
    message: 'incoming encrypted connections disabled',
    description: 'The client is set to not support incoming encrypted connections and this is an encrypted connection',
  },
  noIncomingRegular: {
    value: 78,
    message: 'incoming regular connections disabled',
    description:
      'The client is set to not support incoming regular bittorrent connections, and this is a regular connection',
  },
  duplicatePeerId: {
    value: 79,
    message: 'duplicate peer-id',
    description: 'The client is already connected to this peer-ID',
  },
  torrentRemoved: { value: 80, message: 'torrent removed', description: 'Torrent was removed' },
  packetTooLarge: {
    value: 81,
    message: 'packet too large',
    description: 'The packet size exceeded the upper sanity check-limit',
  },
  reserved: { value: 82, message: '', description: '' },
  httpError: { value: 83, message: 'HTTP error', description: 'The web server responded with an error' },
  missingLocation: {
    value: 84,
    message: 'missing location header',
    description: 'The web server response is missing a location header',
  },
  invalidRedirection: {
    value: 85,
    message: 'invalid redirection',
    description: 'The web seed redirected to a path that no longer matches the .torrent directory structure',
  },
  redirecting: {
    value: 86,
    message: 'redirecting',
    description: 'The connection was closed becaused it redirected to a different URL',
  },
  invalidRange: { value: 87, message: 'invalid HTTP range', description: 'The HTTP range header is invalid' },
  noContentLength: {
    value: 88,
    message: 'missing content-length',
    description: 'The HTTP response did not have a content length',
  },
  bannedByIpFilter: { value: 89, message: 'banned by IP filter', description: 'The IP is blocked by the IP filter' },
  tooManyConnections: { value: 90, message: 'too many connections', description: 'At the connection limit' },
  peerBanned: { value: 91, message: 'peer banned', description: 'The peer is marked as banned' },
  stoppingTorrent: {
    value: 92,
    message: 'stopping torrent',
    description: 'The torrent is stopping, causing the operation to fail',
  },
  tooManyCorruptPieces: {
    value: 93,
    message: 'too many corrupt pieces',
    description: 'The peer has sent too many corrupt pieces and is banned',
  },
  torrentNotReady: {
    value: 94,
    message: 'torrent is not ready to accept peers',
    description: 'The torrent is not ready to receive peers',
  },
  peerNotConstructed: {
    value: 95,
    message: 'peer is not properly constructed',
    description: 'The peer is not completely constructed yet',
  },
  sessionClosing: {
    value: 96,
    message: 'session is closing',
    description: 'The session is closing, causing the operation to fail',
  },
  optimisticDisconnect: {
    value: 97,
    message: 'optimistic disconnect',
    description: 'The peer was disconnected in order to leave room for a potentially better peer',
  },
  torrentFinished: { value: 98, message: 'torrent finished', description: 'The torrent is finished' },
  noRouter: { value: 99, message: 'no router found', description: 'No UPnP router found' },
  metadataTooLarge: {
    value: 100,
    message: 'metadata too large',
    description: 'The metadata message says the metadata exceeds the limit',
  },
  invalidMetadataRequest: {
    value: 101,
    message: 'invalid metadata request',
    description: 'The peer sent an invalid metadata request message',
  },
  invalidMetadataSize: {
    value: 102,
    message: 'invalid metadata size',
    description: 'The peer advertised an invalid metadata size',
  },
  invalidMetadataOffset: {
    value: 103,
    message: 'invalid metadata offset',
    description: 'The peer sent a message with an invalid metadata offset',
  },
  invalidMetadataMessage: {
    value: 104,
    message: 'invalid metadata message',
    description: 'The peer sent an invalid metadata message',
  },
  pexMessageTooLarge: {
    value: 105,
    message: 'pex message too large',
    description: 'The peer sent a peer exchange message that was too large',
  },
  invalidPexMessage: {
    value: 106,
    message: 'invalid pex message',
    description: 'The peer sent an invalid peer exchange message',
  },
  invalidLtTrackerMessage: {
    value: 107,
    message: 'invalid lt_tracker message',
    description: 'The peer sent an invalid tracker exchange message',
  },
  tooFrequentPex: { value: 108, message: 'pex messages sent too frequent (possible attack)', description: '' },
  noMetadata: { value: 109, message: 'torrent has no metadata', description: '' },
  invalidDontHave: { value: 110, message: 'invalid dont-have message', description: '' },
  requiresSslConnection: { value: 111, message: 'SSL connection required', description: '' },
  invalidSslCert: { value: 112, message: 'invalid SSL certificate', description: '' },
  notAnSslTorrent: { value: 113, message: 'not an SSL torrent', description: '' },
  unsupportedProtocolVersion: {
    value: 120,
    message: 'unsupported protocol version',
    description: 'The NAT-PMP router responded with an unsupported protocol version',
  },
  natpmpNotAuthorized: {
    value: 121,
    message: 'not authorized to create port map (enable NAT-PMP on your router)',
    description: 'You are not authorized to map ports on this NAT-PMP router',
  },
  networkFailure: {
    value: 122,
    message: 'network failure',
    description: 'The NAT-PMP router failed because of a network failure',
  },
  noResources: {
    value: 123,
    message: 'out of resources',
    description: 'The NAT-PMP router failed because of lack of resources',
  },
  unsupportedOpcode: {
    value: 124,
    message: 'unsupported opcode',
    description: 'The NAT-PMP router failed because an unsupported opcode was sent',
  },
  missingFileSizes: {
    value: 130,
    message: "missing or invalid 'file sizes' entry",
    description: "The resume data file is missing the 'file sizes' entry",
  },
  noFilesInResumeData: {
    value: 131,
    message: 'no files in resume data',
    description: "The resume data file 'file sizes' entry is empty",
  },
  missingPieces: {
    value: 132,
    message: "missing 'slots' and 'pieces' entry",
    description: "The resume data file is missing the 'pieces' and 'slots' entry",
  },
  mismatchingNumberOfFiles: {
    value: 133,
    message: 'mismatching number of files',
    description: 'The number of files in the resume data does not match the number of files in the torrent',
  },
  mismatchingFilesSize: {
    value: 134,
    message: 'mismatching file size',
    description: 'One of the files on disk has a different size than in the fast resume file',
  },
  mismatchingFileTimestamp: {
    value: 135,
    message: 'mismatching file timestamp',
    description: 'One of the files on disk has a different timestamp than in the fast resume file',
  },
  notADictionary: { value: 136, message: 'not a dictionary', description: 'The resume data file is not a dictionary' },
  invalidBlocksPerPiece: {
    value: 137,
    message: "invalid 'blocks per piece' entry",
    description: "The 'blocks per piece' entry is invalid in the resume data file",
  },
  missingSlots: {
    value: 138,
    message: 'missing slots list',
    description: "The resume file is missing the 'slots' entry, which is required for torrents with compact allocation",
  },
  tooManySlots: {
    value: 139,
    message: 'file has more slots than torrent',
    description: 'The resume file contains more slots than the torrent',
  },
  invalidSlotList: {
    value: 140,
    message: 'invalid entry type in slot list',
    description: "The 'slot' entry is invalid in the resume data",
  },
  invalidPieceIndex: {
    value: 141,
    message: 'invalid piece index in slot list',
    description: "One index in the 'slot' list is invalid",
  },
  piecesNeedReorder: {
    value: 142,
    message: 'pieces needs to be reordered',
    description:
      'The pieces on disk needs to be re-ordered for the specified allocation mode. This happens if you specify sparse allocation and the files on disk are using compact storage. The pieces needs to be moved to their right position',
  },
  resumeDataNotModified: {
    value: 143,
    message: 'the resume data is the same as what was saved last',
    description: 'Resume data was to be saved only if something had changed, and nothing has (libtorrent 1.1)',
  },
  httpParseError: {
    value: 150,
    message: 'Invalid HTTP header',
    description: 'The HTTP header was not correctly formatted',
  },
  httpMissingLocation: {
    value: 151,
    message: 'missing Location header in HTTP redirect',
    description: 'The HTTP response was in the 300-399 range but lacked a location header',
  },
  httpFailedDecompress: {
    value: 152,
    message: 'failed to decompress HTTP response',
    description: 'The HTTP response was encoded with gzip or deflate but decompressing it failed',
  },
  noI2pRouter: { value: 160, message: 'no i2p router is set up', description: '' },
  scrapeNotAvailable: { value: 170, message: 'scrape not available on tracker', description: '' },
  invalidTrackerResponse: { value: 171, message: 'invalid tracker response', description: '' },
  invalidPeerDict: { value: 172, message: 'invalid peer dictionary entry', description: '' },
  trackerFailure: { value: 173, message: 'tracker sent a failure message', description: '' },
  invalidFilesEntry: { value: 174, message: "missing or invalid 'files' entry", description: '' },
  invalidHashEntry: { value: 175, message: "missing or invalid 'hash' entry", description: '' },
  invalidPeersEntry: { value: 176, message: "missing or invalid 'peers' and 'peers6' entry", description: '' },
  invalidTrackerResponseLength: {
    value: 177,
    message: 'udp tracker response packet has invalid size',
    description: '',
  },
  invalidTrackerTransactionId: {
    value: 178,
    message: 'invalid transaction id in udp tracker response',
    description: '',
  },
  invalidTrackerAction: { value: 179, message: 'invalid action field in udp tracker response', description: '' },
  expectedString: { value: 190, message: 'expected string in bencoded string', description: '' },
  expectedColon: { value: 191, message: 'expected colon in bencoded string', description: '' },
  unexpectedEof: { value: 192, message: 'unexpected end of file in bencoded string', description: '' },
  expectedValue: {
    value: 193,
    message: 'expected value (list, dict, int or string) in bencoded string',
    description: '',
  },
  depthExceeded: { value: 194, message: 'bencoded nesting depth exceeded', description: '' },
  limitExceeded: { value: 195, message: 'bencoded item count limit exceeded', description: '' },
  overflow: { value: 196, message: 'integer overflow', description: '' },
  ssrfMitigation: {
    value: 201,
    message: 'blocked by SSRF mitigation',
    description: 'The URL, or the address it leads to, could be aimed at a service behind our own firewall',
  },
  blockedByIdna: {
    value: 202,
    message: 'blocked by IDNA ban',
    description: 'The host name is an international one, which can look like another; see the setting allow_idna',
  },
} as const satisfies Record<string, ErrorRow>

/** The `http` category: status codes of a web server, tracker or proxy that have a name. */
export const httpErrors = {
  cont: { value: 100, message: 'cont', description: '' },
  ok: { value: 200, message: 'ok', description: '' },
  created: { value: 201, message: 'created', description: '' },
  accepted: { value: 202, message: 'accepted', description: '' },
  noContent: { value: 204, message: 'no content', description: '' },
  multipleChoices: { value: 300, message: 'multiple choices', description: '' },
  movedPermanently: { value: 301, message: 'moved permanently', description: '' },
  movedTemporarily: { value: 302, message: 'moved temporarily', description: '' },
  notModified: { value: 304, message: 'not modified', description: '' },
  badRequest: { value: 400, message: 'bad request', description: '' },
  unauthorized: { value: 401, message: 'unauthorized', description: '' },
  forbidden: { value: 403, message: 'forbidden', description: '' },
  notFound: { value: 404, message: 'not found', description: '' },
  internalServerError: { value: 500, message: 'internal server error', description: '' },
  notImplemented: { value: 501, message: 'not implemented', description: '' },
  badGateway: { value: 502, message: 'bad gateway', description: '' },
  serviceUnavailable: { value: 503, message: 'service unavailable', description: '' },
} as const satisfies Record<string, ErrorRow>

/** The `socks` category: what went wrong with a SOCKS proxy. */
export const socksErrors = {
  unsupportedVersion: {
    value: 1,
    message: 'SOCKS unsupported version',
    description: 'The proxy speaks another version of SOCKS, or something else',
  },
  unsupportedAuthenticationMethod: {
    value: 2,
    message: 'SOCKS unsupported authentication method',
    description: 'The proxy accepts none of the ways to log in that we know',
  },
  unsupportedAuthenticationVersion: {
    value: 3,
    message: 'SOCKS unsupported authentication version',
    description: 'The proxy logs us in by a version of RFC 1929 that does not exist',
  },
  authenticationError: {
    value: 4,
    message: 'SOCKS authentication error',
    description: 'The proxy refused the user name or the password',
  },
  usernameRequired: {
    value: 5,
    message: 'SOCKS username required',
    description: 'The proxy wants a user name, and there is none',
  },
  generalFailure: {
    value: 6,
    message: 'SOCKS general failure',
    description: 'The proxy could not do it and does not say why, or its reply makes no sense',
  },
  commandNotSupported: {
    value: 7,
    message: 'SOCKS command not supported',
    description: 'The proxy does not do this, such as carrying UDP',
  },
  noIdentd: {
    value: 8,
    message: 'SOCKS no identd running',
    description: 'A SOCKS4 proxy wants to ask an identd on our machine who we are',
  },
  identdError: {
    value: 9,
    message: 'SOCKS identd could not identify username',
    description: 'A SOCKS4 proxy asked the identd on our machine, which names another user',
  },
} as const satisfies Record<string, ErrorRow>

/** The `i2p` category: what an I2P router answered (libtorrent, i2p_error_code). */
export const i2pErrors = {
  parseFailed: {
    value: 1,
    message: 'parse failed',
    description: 'What the router said is not SAM, is not what was asked for, or came before it was asked for',
  },
  cantReachPeer: { value: 2, message: 'cannot reach peer', description: '' },
  i2pError: { value: 3, message: 'i2p error', description: 'The router failed, or gave up the session' },
  invalidKey: { value: 4, message: 'invalid key', description: 'The destination is none' },
  invalidId: { value: 5, message: 'invalid id', description: 'The router does not know the session' },
  timeout: { value: 6, message: 'timeout', description: '' },
  keyNotFound: { value: 7, message: 'key not found', description: 'No destination has this name' },
  duplicatedId: { value: 8, message: 'duplicated id', description: '' },
} as const satisfies Record<string, ErrorRow>

/** The `upnp` category: what a router answered. */
export const upnpErrors = {
  noError: { value: 0, message: 'No error', description: '' },
  invalidArgument: { value: 402, message: 'One of the arguments in the request is invalid', description: '' },
  actionFailed: { value: 501, message: 'The request failed', description: '' },
  valueNotInArray: { value: 714, message: 'The specified value does not exist in the array', description: '' },
  sourceIpCannotBeWildcarded: {
    value: 715,
    message: 'The source IP address cannot be wild-carded, but must be fully specified',
    description: '',
  },
  externalPortCannotBeWildcarded: {
    value: 716,
    message: 'The external port cannot be wildcarded, but must be specified',
    description: '',
  },
  portMappingConflict: {
    value: 718,
    message: 'The port mapping entry specified conflicts with a mapping assigned previously to another client',
    description: '',
  },
  internalPortMustMatchExternal: {
    value: 724,
    message: 'Internal and external port value must be the same',
    description: '',
  },
  onlyPermanentLeasesSupported: {
    value: 725,
    message: 'The NAT implementation only supports permanent lease times on port mappings',
    description: '',
  },
  remoteHostMustBeWildcard: {
    value: 726,
    message: 'RemoteHost must be a wildcard and cannot be a specific IP addres or DNS name',
    description: '',
  },
  externalPortMustBeWildcard: {
    value: 727,
    message: 'ExternalPort must be a wildcard and cannot be a specific port',
    description: '',
  },
} as const satisfies Record<string, ErrorRow>
