import { type HttpResponse, LibtorrentError, NodeHttp, VERSION } from 'libtorrent-ts'
import { CliError, reasonOf } from './cliError.ts'
import { localAddresses } from './localAddresses.ts'
import type { Network } from './options/proxyOptions.ts'

const MAX_BYTES = 10 * 1024 * 1024
const COMPLETION_TIMEOUT_MS = 60_000
const SILENCE_TIMEOUT_MS = 15_000
/** Shared by many programs; what trackers are told in anonymous mode, too. */
const ANONYMOUS_USER_AGENT = 'curl/7.81.0'

/** Downloads the bytes of a .torrent. */
export async function fetchTorrent(url: string, network: Network): Promise<Uint8Array> {
  const { status, headers, body } = await get(url, network)
  if (status !== 200) throw new CliError(`${url}: the server answered ${status}${statusHint(status)}`)
  if (isWebPage(headers['content-type'] ?? '', body)) {
    throw new CliError(
      `${url}: the server answered with a web page, not a .torrent. ` +
        'Download the .torrent with a browser, and give lt the file.',
    )
  }
  return body
}

async function get(url: string, network: Network): Promise<HttpResponse> {
  const { proxy, isForced, interfaces } = network
  if (isForced && proxy === null)
    throw new CliError(`${url}: nothing may be connected to without a proxy (forceProxy).`)
  const from = interfaces.length === 0 ? [undefined] : localAddresses(interfaces)
  if (from.length === 0) {
    throw new CliError(`${url}: --interface ${interfaces.join(', ')}: this machine has no such device or address now.`)
  }
  let result = await request(url, network, from[0])
  for (const address of from.slice(1)) {
    // Only one that the server can be reached from is of use.
    if (!(result instanceof LibtorrentError && result.code === 'EAFNOSUPPORT')) break
    result = await request(url, network, address)
  }
  if (!(result instanceof LibtorrentError)) return result
  const reason = result.is('packetTooLarge') ? 'the answer is larger than 10 MB: no .torrent' : reasonOf(result)
  throw new CliError(`${url}: ${reason}`, 1, { cause: result })
}

function request(
  url: string,
  { proxy, isAnonymous }: Network,
  localAddress: string | undefined,
): Promise<HttpResponse | LibtorrentError> {
  return new Promise((resolve) => {
    const request = {
      url,
      localAddress,
      headers: isAnonymous
        ? { 'user-agent': ANONYMOUS_USER_AGENT, accept: '*/*' }
        : { 'user-agent': `libtorrent-ts/${VERSION}`, accept: 'application/x-bittorrent, */*' },
      ...(proxy !== null && { proxy }),
      completionTimeout: COMPLETION_TIMEOUT_MS,
      receiveTimeout: SILENCE_TIMEOUT_MS,
      maxBodyBytes: MAX_BYTES,
    }
    new NodeHttp().get(request, resolve)
  })
}

function statusHint(status: number): string {
  if (status === 401 || status === 403) return ': it needs a login. Download the .torrent with a browser.'
  if (status === 404 || status === 410) return ': there is nothing at this address.'
  return '.'
}

function isWebPage(contentType: string, body: Uint8Array): boolean {
  const start = Buffer.from(body.subarray(0, 200)).toString('latin1').trimStart()
  return start.startsWith('<') || (/html/i.test(contentType) && !start.startsWith('d'))
}
