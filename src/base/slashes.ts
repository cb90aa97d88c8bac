/** Returns a text without the slashes at its end. The look-behind keeps the time linear for a text with many slashes. */
export const withoutSlashes = (text: string): string => text.replace(/(?<!\/)\/+$/, '');
