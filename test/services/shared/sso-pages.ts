import { html, Markup, page } from './html.ts';
import type { Person } from './people.ts';

const home = 'Example sign-in';

/** The form that signs a person in with one POST: it is filled in if a hint names the person. */
export function signInPage(action: string, client: string, hint: string, acr: string, trouble?: string): Markup {
  return page(
    'Sign in',
    home,
    client,
    html`<h1>Sign in to ${client}</h1>${trouble === undefined ? undefined : html`<p class="bad">${trouble}</p>`}
<section><form id="signin" method="post" action="${action}">
<label for="person">Name</label><input id="person" name="person" value="${hint}" autofocus>
<input type="hidden" name="acr" value="${acr}">
<button type="submit" id="submit">Sign in</button></form></section>`,
  );
}

/** A page around one of the provider's own forms, which is HTML; `fields` are added to it. */
export function formPage(title: string, form: string, fields: Markup, button: string): Markup {
  const entire = form.replace('</form>', `${fields.text}<button type="submit" id="submit">${button}</button></form>`);
  return page(title, home, '', html`<h1>${title}</h1><section>${new Markup(entire)}</section>`);
}

export function sayPage(title: string, text: string): Markup {
  return page(title, home, '', html`<h1>${title}</h1><p>${text}</p>`);
}

/** Claims of a person by scope. */
export function claimsOf(person: Person): Record<string, unknown> {
  return { name: person.name, email: person.email, email_verified: true, groups: person.groups };
}
