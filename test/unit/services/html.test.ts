import { expect, test } from 'vitest';
import { html } from '../../services/shared/html.ts';

test('values are escaped in text and in attributes, markup is not, lists are joined', () => {
  const hostile = `"><script>alert('&')</script>`;
  const { text } = html`<p title="${hostile}">${[hostile, html`<b>${1}</b>`]}${undefined}${false}</p>`;
  const escaped = '&#34;&#62;&#60;script&#62;alert(&#39;&#38;&#39;)&#60;/script&#62;';
  expect(text).toBe(`<p title="${escaped}">${escaped}<b>1</b></p>`);
});
