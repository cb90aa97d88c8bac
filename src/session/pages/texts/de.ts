import type { Texts } from './en.ts';

export const de: Texts = {
  'choose.title': 'Anmelden',
  'choose.text': 'Wählen Sie, wie Sie sich bei {host} anmelden.',
  'choose.with': 'Weiter mit {label}',
  'choose.or': 'Oder mit Ihrer E-Mail-Adresse',
  'choose.email': 'E-Mail-Adresse',
  'choose.next': 'Weiter',
  'choose.unknown':
    'Für diese Adresse ist keine Anmeldung eingerichtet. Prüfen Sie die Schreibweise, oder wählen Sie aus der Liste.',

  'denied.title': 'Sie dürfen diese Seite nicht öffnen',
  'signin.title': 'Bitte melden Sie sich an',
  'stepup.title': 'Bitte melden Sie sich erneut an',
  'notfound.title': 'Diese Seite gibt es nicht',
  'failed.title': 'Die Anmeldung ist nicht gelungen',
  'request.title': 'Diese Anfrage lässt sich nicht beantworten',
  'later.title': 'Bitte versuchen Sie es gleich noch einmal',

  'form.title': 'Ihre Eingabe wurde nicht gesendet',
  'form.text': 'Sie sind nicht mehr angemeldet, daher wurde Ihre Eingabe nicht weitergegeben. Sie ist nicht verloren:',
  'form.stepup':
    'Ihre Eingabe verlangt eine neuere oder stärkere Anmeldung, daher wurde sie nicht weitergegeben. Sie ist nicht verloren:',
  'form.first': 'Melden Sie sich in einem anderen Tab an.',
  'form.then':
    'Kehren Sie zu diesem Tab zurück und laden Sie ihn neu. Wenn der Browser fragt, ob das Formular noch einmal gesendet werden soll, stimmen Sie zu.',

  'signedin.title': 'Sie sind angemeldet',
  'signedin.text': 'Diese Anmeldung ist schon abgeschlossen.',
  'signedin.go': 'Weiter',

  'confirm.title': 'Abmelden?',
  'confirm.text': 'Sie werden von {host} abgemeldet, und auch vom Anmeldedienst, wo dieser das erlaubt.',
  'confirm.yes': 'Abmelden',
  'confirm.no': 'Angemeldet bleiben',

  'signinto.title': 'Bei {host} anmelden?',
  'signinto.text':
    'Fahren Sie nur fort, wenn Sie {host} selbst geöffnet haben. Hat Sie ein Link oder eine andere Seite hierher geführt, dann schließen Sie diese Seite.',
  'signinto.yes': 'Anmelden',

  'signedout.title': 'Sie sind abgemeldet',
  'signedout.text': 'Ihre Sitzung bei {host} ist beendet.',
  'signedout.here':
    'Beim Anmeldedienst sind Sie vielleicht noch angemeldet. Melden Sie sich an einem gemeinsam genutzten Rechner auch dort ab, oder schließen Sie den Browser.',
  'signedout.again': 'Wieder anmelden',

  'do.signin': 'Anmelden',
  'do.again': 'Noch einmal versuchen',
  'do.ask': 'Zugang erbitten',
  'do.report': 'Problem melden',
  'do.other': 'Anderes Konto verwenden',
  'about.user': 'Angemeldet als',
  'about.owner': 'Ansprechpartner',
  'about.reason': 'Grund',
  'about.detail': 'Genauer',
  'about.request': 'Anfrage-Nummer',

  'reason.role_missing': 'Sie sind angemeldet, aber keine Ihrer Rollen darf das hier.',
  'reason.actor_not_allowed': 'Der Dienst, der für Sie gefragt hat, darf das hier nicht.',
  'reason.limit_exceeded':
    'Sie haben in kurzer Zeit mehr Seiten geöffnet, als hier erlaubt ist. Warten Sie einen Augenblick.',
  'reason.origin_refused':
    'Die Seite einer anderen Website hat dies mit Ihrer Sitzung, Ihrem Zertifikat oder aus Ihrem Netz gesendet. Öffnen Sie die Seite dieser Website und versuchen Sie es dort.',
  'reason.credential_missing': 'Diese Seite ist für Angemeldete.',
  'reason.session_expired': 'Ihre Sitzung ist abgelaufen.',
  'reason.step_up_required': 'Diese Seite verlangt eine neuere oder stärkere Anmeldung als Ihre.',
  'reason.revoked': 'Sie wurden abgemeldet: von Ihnen selbst an anderer Stelle, oder von der Verwaltung.',
  'reason.attempt_unknown':
    'Diese Anmeldung wurde nicht in diesem Browser begonnen, ist zu alt oder schon abgeschlossen. Öffnen Sie die gewünschte Seite neu.',
  'reason.signin_failed': 'Der Anmeldedienst hat Sie nicht angemeldet, oder seine Antwort ist nicht gültig.',
  'reason.provider_unavailable': 'Der Anmeldedienst ist gerade nicht erreichbar.',
  'reason.claim_absent': 'Der Anmeldedienst sagt zu wenig über Sie.',
  'reason.credential_duplicate':
    'Ihr Browser hat zwei Sitzungen gesendet. Löschen Sie die Cookies dieser Website und melden Sie sich neu an.',
  'reason.route_unknown': 'Prüfen Sie die Adresse auf Tippfehler.',
  'reason.host_unknown': 'Unter diesem Namen gibt es hier nichts.',
  'reason.path_not_canonical': 'Die Adresse ist so geschrieben, dass sie zwei Seiten meinen könnte.',
  'reason.request_malformed': 'Der Server konnte die Anfrage nicht lesen.',
  'reason.header_too_large':
    'Ihr Browser hat mehr Cookies gesendet, als diese Website annimmt. Vielleicht hat eine andere Website derselben Domain sie gesetzt. Löschen Sie die Cookies dieser Website und ihrer Domain und öffnen Sie die Seite neu.',
  'reason.check_unavailable':
    'Der Server konnte nicht entscheiden, ob Sie diese Seite öffnen dürfen, daher bleibt sie zu.',
  'reason.assertion_unavailable': 'Der Server kann gerade nicht für Sie bürgen, daher bleibt die Seite zu.',
};
