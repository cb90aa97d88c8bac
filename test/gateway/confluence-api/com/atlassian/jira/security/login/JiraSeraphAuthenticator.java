package com.atlassian.jira.security.login;

import com.atlassian.seraph.auth.DefaultAuthenticator;
import java.security.Principal;

/** What Jira's authenticator has, as far as the authenticator for it uses it. */
public class JiraSeraphAuthenticator extends DefaultAuthenticator {
    @Override
    protected Principal getUser(String username) {
        return () -> username;
    }
}
