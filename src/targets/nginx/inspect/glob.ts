/** The pattern of an `include` as a regular expression, as glob(3) matches. A star matches only within one folder, and
 * not the dot at the beginning of a name. */
export function globbed(pattern: string): RegExp {
  const source = pattern.replace(/\\[\s\S]|\[[^\]]{1,255}\]|[\s\S]/g, (c, at: number) => {
    const first = at === 0 || pattern[at - 1] === '/' ? '(?!\\.)' : '';
    if (c === '*') return `${first}[^/]*`;
    if (c === '?') return `${first}[^/]`;
    if (c[0] === '\\' && c.length === 2) return c.slice(1).replace(/\W/, '\\$&');
    if (c.length > 2) return `${first}[${c.slice(1, -1).replace(/^!/, '^').replace(/[\\[]/g, '\\$&')}]`;
    return c.replace(/[.+^${}()|[\]\\/]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /(?!)/;
  }
}

/** Whether nginx expands the path of an `include`. Any other path must exist. */
export const isPattern = (path: string): boolean => /[*?[]/.test(path);
