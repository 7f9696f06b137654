/**
 * A pattern of file names as a test of paths with `/` between their parts. `*` and `?` stand for anything but `/`,
 * `**` for anything, `[a-z]` for one of a set, `{a,b}` for either. A pattern without `/` is tried on each part of the
 * path, so that `*.mkv` finds files anywhere and a directory's name everything in it; one with `/` on the whole path and
 * its leading directories. Text equal to a path or name always matches, whatever signs it has in it.
 */
export function pathMatcher(pattern: string): (path: string) => boolean {
  const trimmed = pattern.replace(/^(?:\.?\/)+|\/+$/g, '')
  const expression = new RegExp(`^(?:${globSource(trimmed)})$`, 'us')
  const matches = (text: string) => text === trimmed || expression.test(text)
  if (trimmed.includes('/')) return (path) => leadingPaths(path).some(matches)
  return (path) => path.split('/').some(matches)
}

/** `a`, `a/b` and `a/b/c` of `a/b/c`. */
function leadingPaths(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

function globSource(glob: string): string {
  let source = ''
  let depth = 0
  for (let at = 0; at < glob.length; at++) {
    const sign = glob[at]
    if (sign === '*') {
      let end = at
      while (glob[end + 1] === '*') end++
      const isDeep = end > at
      // `a/**/b` also finds `a/b`
      const takesSlash = isDeep && glob[end + 1] === '/' && (at === 0 || glob[at - 1] === '/')
      source += takesSlash ? '(?:.*/)?' : isDeep ? '.*' : '[^/]*'
      at = takesSlash ? end + 1 : end
    } else if (sign === '?') source += '[^/]'
    else if (sign === '[') {
      const set = characterSet(glob, at)
      source += set?.source ?? '\\['
      at = set?.end ?? at
    } else if (sign === '{' && glob.indexOf('}', at) > 0) {
      source += '(?:'
      depth++
    } else if (sign === '}' && depth > 0) {
      source += ')'
      depth--
    } else if (sign === ',' && depth > 0) source += '|'
    else if (sign === '\\' && at + 1 < glob.length) source += escaped(glob[++at])
    else source += escaped(sign)
  }
  return source + ')'.repeat(depth)
}

/** `[abc]`, `[a-z]`, `[!a]`; null when there is no closing bracket or the range makes no sense. */
function characterSet(glob: string, start: number): { readonly source: string; readonly end: number } | null {
  const end = glob.indexOf(']', start + 2)
  if (end < 0) return null
  const inside = glob.slice(start + 1, end)
  const isNegated = inside[0] === '!' || inside[0] === '^'
  const members = (isNegated ? inside.slice(1) : inside).replace(/[\\\]^]/g, '\\$&')
  const source = `[${isNegated ? '^/' : ''}${members}]`
  try {
    new RegExp(source, 'u')
  } catch {
    return null
  }
  return { source, end }
}

function escaped(sign: string): string {
  return sign.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
