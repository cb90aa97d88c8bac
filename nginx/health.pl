#!/usr/bin/perl
# Asks the gateway how it is, over its socket. Exit code 0: well; 1: not; 2: wrong use. The answer goes to standard output.
#
#   meshgate-health [readyz | healthz]
use strict;
use warnings;
use IO::Socket::UNIX;

my $what = shift // 'readyz';
if ($what !~ /^(?:readyz|healthz)$/ || @ARGV) {
    print STDERR "meshgate-health: ask readyz or healthz\n";
    exit 2;
}
sub unwell { print STDERR "meshgate-health: @_\n"; exit 1 }

$SIG{ALRM} = sub { unwell('nginx does not answer') };
alarm 4;
my $path = '/run/meshgate/health.sock';
my $socket = IO::Socket::UNIX->new(Peer => $path) or unwell("nginx does not listen on $path");
print $socket "GET /.meshgate/$what HTTP/1.0\r\nHost: meshgate\r\n\r\n";
my $answer = do { local $/; <$socket> } // '';
my ($head, $body) = split /\r\n\r\n/, $answer, 2;
$body //= '';
chomp $body;
print "$body\n" if $body ne '';
exit($head =~ m{^HTTP/1\.[01] 200 } ? 0 : 1);
