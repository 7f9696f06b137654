const TARGET = /^(?:\/|http:\/\/)[\x21-\x7e]*$/
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** A value of two lines would be two headers. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * A GET for `url` (`http:` or `https:`), to be sent as Latin-1. `headers` have lower-case names. Null when one of them, or
 * the URL, cannot be sent as it is.
 * @param target what is asked for: the whole URL when a proxy is asked. Default: the path.
 */
export function requestText(
  url: URL,
  headers: Readonly<Record<string, string>>,
  target = url.pathname + url.search,
): string | null {
  if (!TARGET.test(target)) return null
  let text = `GET ${target} HTTP/1.1\r\nhost: ${headers.host ?? url.host}\r\n`
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) return null
    if (name !== 'host' && !IS_OURS.has(name)) text += `${name}: ${value}\r\n`
  }
  return `${text}connection: keep-alive\r\n\r\n`
}

/** What says where a request ends, and what becomes of the connection. */
const IS_OURS = new Set(['connection', 'content-length', 'transfer-encoding', 'upgrade', 'keep-alive'])
