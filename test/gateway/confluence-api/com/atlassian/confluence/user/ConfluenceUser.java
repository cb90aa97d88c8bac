package com.atlassian.confluence.user;

public interface ConfluenceUser extends java.security.Principal {}
