package com.atlassian.confluence.user;

import com.atlassian.seraph.auth.DefaultAuthenticator;
import java.util.Set;

/** Confluence with these accounts; the documented methods that the authenticator uses. */
public class ConfluenceAuthenticator extends DefaultAuthenticator {
    private static final Set<String> ACCOUNTS = Set.of("ada", "ben", "root", "unlicensed", "meshgate:nobody");

    @Override
    protected ConfluenceUser getUser(String uid) {
        return ACCOUNTS.contains(uid) ? () -> uid : null;
    }
}
