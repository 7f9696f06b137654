/** All of ASCII: by far the most paths, which need no Unicode. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is meant, too
const ASCII = /^[\x00-\x7f]*$/
/** Some part of the path ends in a dot or a space. */
const LOOSE_END = /[. ](?:\/|$)/
/** Characters without a shape, which some file systems leave out of comparisons: joiners, selectors, soft hyphens. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu

/**
 * What two paths must not share, to be two files wherever they are stored. Equal are paths that differ
 * - in letter case, by any of Unicode's rules (NTFS, APFS, FAT, and ext4 with casefold);
 * - in Unicode composition (APFS, HFS+) and in invisible characters (HFS+, ext4 with casefold);
 * - in dots and spaces at the end of a part, which Windows and FAT leave out.
 *
 * What only one system takes for equal counts everywhere, since a torrent may be moved to another.
 */
export function collisionKey(path: string): string {
  if (!ASCII.test(path)) return folded(path).split('/').map(bare).join('/')
  const key = path.toUpperCase()
  return LOOSE_END.test(key) ? key.split('/').map(bare).join('/') : key
}

/** Both cases: capital ß meets ss only by way of lower case, long s and the sigmas meet theirs by upper case. */
function folded(path: string): string {
  return path.normalize('NFD').replace(IGNORABLE, '').toLowerCase().toUpperCase().normalize('NFD')
}

/** A part without what is left out at its end. One of which nothing is left stays a part, and is like no other. */
function bare(part: string): string {
  let end = part.length
  while (end > 0 && (part[end - 1] === '.' || part[end - 1] === ' ')) end--
  return part.slice(0, end) || '\0'
}
